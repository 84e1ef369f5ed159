"""What all stores share: clients, their faults, names of indices and keys, scripts."""
