"""What is said of units: answers, statements, utilization."""
