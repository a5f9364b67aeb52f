"""The styles, by name; each also for terminals of one colour, where bold, underline and inversion must do."""

# (name, 16 colours: foreground, background; one colour: settings). The terminal's own background stays where it can:
# it may be light or dark. What carries meaning is never told by colour alone: PAUSED, lost and ~ are words and signs.
PALETTE = (
    ("title", "default,bold", "default", "bold"),
    ("live", "dark green,bold", "default", "bold"),
    ("paused", "black", "yellow", "standout"),
    ("warning", "white,bold", "dark red", "standout"),
    ("dim", "dark gray", "default", "default"),
    ("heading", "black", "dark cyan", "standout"),
    ("sorted", "white,bold", "dark blue", "standout,bold"),
    ("row", "default", "default", "default"),
    ("growing", "light red,bold", "default", "bold"),
    ("selected", "black", "light gray", "standout"),
    ("bar", "dark cyan", "default", "default"),
    ("key", "default,bold", "default", "bold"),
    ("label", "black", "dark cyan", "standout"),
    ("prompt", "default,bold", "default", "bold"),
    ("category", "dark cyan,bold", "default", "bold,underline"),
)
