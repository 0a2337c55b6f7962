# Configuration from the environment, the campaign in the repository, nothing
# written, nothing hoarded.
docker exec "$BOOKING_LAPTOP" cat /srv/campaign >srv/campaign
cat >srv/start <<'END'
#!/bin/sh
exec httpd -f -p 8080 -h /srv/www
END
cat >srv/www/cgi-bin/points <<'END'
#!/bin/sh
# GET /cgi-bin/points?guest=NAME: the points of a guest's stays.
. /srv/campaign
guest=${QUERY_STRING#guest=}
case $guest in
'' | *[!a-z0-9]*)
	printf 'Status: 400 Bad Request\r\nContent-Type: text/plain\r\n\r\nguest: letters and digits\n'
	exit
	;;
esac
echo "points $guest" >&2
nights=$(awk -F, '$1 == guest { sum += $2 } END { print sum + 0 }' guest="$guest" /srv/stays.csv)
printf 'Content-Type: text/plain\r\n\r\npoints=%s\n' $((nights * POINTS_PER_NIGHT * factor))
END
git rm --quiet srv/points.conf
git add --all
git commit --quiet --message "Run read-only, as nobody, offline and in little memory; configured by the environment"
