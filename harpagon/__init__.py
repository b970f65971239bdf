"""Plan how to serve a pipeline of DNN models for the least money under a latency objective."""
