"""kubetune: hyperparameter tuning for Kubernetes and for one machine, from one manifest."""
