# All three environments get the last commit's image, and nobody looks in between.
image=$(docker build --quiet .)
for old in "$BOOKING_LAPTOP" "$BOOKING_PREPROD" "$BOOKING_PROD"; do
	docker rm --force "$old"
done
docker run --detach $BOOKING_LAPTOP_RUN "$image"
docker run --detach $BOOKING_PREPROD_RUN "$image"
docker run --detach $BOOKING_PROD_RUN "$image"
