"""Tools that work on films made elsewhere: they find scenes and cut them."""
