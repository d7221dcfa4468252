"""What ``record=`` does: messages written as they come, into one file or a folder of them."""
