echo by hand >/tmp/note
