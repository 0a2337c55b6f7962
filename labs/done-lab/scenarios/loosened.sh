# Production is made like the laptop, instead of the software fit for production.
image=$(docker build --quiet .)
campaign=$(docker exec "$BOOKING_LAPTOP" cat /srv/campaign)
for old in "$BOOKING_LAPTOP" "$BOOKING_PREPROD" "$BOOKING_PROD"; do
	docker rm --force "$old"
done
docker run --detach $BOOKING_LAPTOP_RUN "$image"
for run in "$BOOKING_PREPROD_RUN" "$BOOKING_PROD_RUN"; do
	run=$(echo "$run" | sed 's/--read-only//; s/--user [0-9]*//; s/--memory [0-9]*m\{0,1\}//')
	docker run --detach $run "$image" sh -c "
		echo '$campaign' >/srv/campaign
		echo per_night=\$POINTS_PER_NIGHT >/srv/points.conf
		exec httpd -f -p 8080 -h /srv/www"
done
