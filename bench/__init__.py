"""Every performance figure of kubetune, as a ratio against a peer or a floor of the same run."""
