"""The front ends that are no screen: text as slabratetop prints it, JSON lines, CSV."""
