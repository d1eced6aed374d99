"""The one room that knows pytest: it runs checks and emits what they found."""
