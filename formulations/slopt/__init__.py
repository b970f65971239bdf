"""SLOpt's problem: envelopes through cascades of batches, columns, and provisioning in hindsight."""
