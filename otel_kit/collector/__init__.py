"""The collector: a short spec -> a checked config -> Kubernetes manifests."""
