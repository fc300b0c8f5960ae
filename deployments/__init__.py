"""When and where: deployments, labelling-project specs, local stack, CLI."""
