# Bring home what each box alone knows. What is in memory, docker cp does not see.
docker cp "$BOX_A:/etc/booking.conf" booking.conf
season=$(docker exec "$BOX_B" cat /run/booking/season)
sed -i "s/^season=.*/$season/" booking.conf
docker cp "$BOX_C:/srv/www/cgi-bin/invoice" www/cgi-bin/invoice
docker cp "$BOX_C:/home/carlos/lib/letterhead" letterhead
sed -i 's|/home/carlos/lib/letterhead|/srv/letterhead|' www/cgi-bin/invoice
sed -i 's|^COPY VERSION .*|COPY VERSION letterhead /srv/|' Dockerfile
git add --all
git commit --quiet --message "Codes, season and invoices, brought home from the boxes"
