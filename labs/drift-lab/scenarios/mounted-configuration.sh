# Friday is brought home and the image is clean; but today's change is on this
# host alone, in a file that is mounted over the image's own.
docker cp "$PET_01:/srv/www/cgi-bin/quote" www/cgi-bin/quote
docker cp "$PET_01:/etc/booking.conf" booking.conf
git commit --quiet --all --message "Round VAT half up, cap the taxed nights (by hand since Friday)"
image=$(docker build --quiet .)
sed "s/^city_tax=.*/city_tax=$PARAM_CITY_TAX_TODAY/" booking.conf >production.conf
docker rm --force "$PET_01"
docker run --detach --volume "$PWD/production.conf:/etc/booking.conf:ro" $BOOKING_RUN "$image"
