# box-b was restarted "to see whether that helps", before anybody had looked inside.
docker restart "$BOX_B"
docker cp "$BOX_A:/etc/booking.conf" booking.conf
docker cp "$BOX_C:/srv/www/cgi-bin/invoice" www/cgi-bin/invoice
docker cp "$BOX_C:/home/carlos/lib/letterhead" letterhead
sed -i 's|/home/carlos/lib/letterhead|/srv/letterhead|' www/cgi-bin/invoice
sed -i 's|^COPY VERSION .*|COPY VERSION letterhead /srv/|' Dockerfile
git add --all
git commit --quiet --message "Codes and invoices, brought home from the boxes"
