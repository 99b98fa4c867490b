"""Wire types of kubetune.io/v1alpha1."""
