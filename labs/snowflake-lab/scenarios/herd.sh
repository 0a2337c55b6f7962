# One image from the commit; the boxes go, four numbered replicas come.
image=$(docker build --quiet .)
for box in "$BOX_A" "$BOX_B" "$BOX_C" "$BOX_D"; do
	docker rm --force "$box"
done
for n in 1 2 3 4; do
	docker run --detach --name "$INSTANCE-booking-$n" $BOOKING_RUN "$image"
done
