# Every box is given what it lacks, by hand. It works, until the next restart.
for box in "$BOX_A" "$BOX_B" "$BOX_C" "$BOX_D"; do
	docker cp booking.conf "$box:/etc/booking.conf"
	docker cp letterhead "$box:/srv/letterhead"
	docker cp www/cgi-bin/. "$box:/srv/www/cgi-bin"
done
