"""What has to be right before a flow can run."""
