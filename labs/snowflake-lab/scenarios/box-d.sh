# A snowflake: never upgraded, with paths, modes and a price of its own. Nothing
# here is worth keeping, and nobody dares to say so.
echo 'do not touch, nobody knows' >/usr/local/hotel/README
chmod 666 /usr/local/hotel/booking.conf
