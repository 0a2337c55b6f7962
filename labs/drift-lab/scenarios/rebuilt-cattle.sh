# See what was changed by hand: the script that quotes, and its configuration.
docker diff "$PET_01"

# Bring Friday home, as a commit of its own.
docker cp "$PET_01:/srv/www/cgi-bin/quote" www/cgi-bin/quote
docker cp "$PET_01:/etc/booking.conf" booking.conf
git commit --quiet --all --message "Round VAT half up, cap the taxed nights (by hand since Friday)"

# Make today's change where every change is made.
sed -i "s/^city_tax=.*/city_tax=$PARAM_CITY_TAX_TODAY/" booking.conf
git commit --quiet --all --message "City tax from today"

# Build from the commit; shoot the pet; start number one.
image=$(docker build --quiet .)
docker rm --force "$PET_01"
docker run --detach --name "$INSTANCE-web-001" $BOOKING_RUN "$image"
