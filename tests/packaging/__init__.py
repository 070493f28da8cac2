"""What is shipped: the wheel; and, by a script for a machine with root and buildah, the image."""
