"""What stands beside the service: local engines, made-up data, writers of documentation."""
