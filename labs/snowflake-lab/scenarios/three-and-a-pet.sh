# Three are cattle. box-a stays, since it has always worked, and is given the rest.
image=$(docker build --quiet .)
for box in "$BOX_B" "$BOX_C" "$BOX_D"; do
	docker rm --force "$box"
done
docker cp booking.conf "$BOX_A:/etc/booking.conf"
docker cp letterhead "$BOX_A:/srv/letterhead"
docker cp www/cgi-bin/. "$BOX_A:/srv/www/cgi-bin"
for n in 2 3 4; do
	docker run --detach $BOOKING_RUN "$image"
done
