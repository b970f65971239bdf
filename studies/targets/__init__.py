"""Files of `harpagon deploy` under the systems that read them: real servers, workers that sleep, even arrivals."""
