# Everything is collected on the current base, and put onto an empty one.
cat >Dockerfile <<'END'
FROM labctl-fixtures/bases:2 AS collected
COPY www /srv/www

FROM scratch
COPY --from=collected / /
STOPSIGNAL SIGKILL
CMD ["httpd", "-f", "-p", "8095", "-h", "/srv/www"]
END
git commit --quiet --all --message "Move to the current base, and collect"
image=$(docker build --quiet .)
for pet in "$PET_DEV" "$PET_PREPROD" "$PET_PROD"; do
	docker rm --force "$pet"
done
docker run --detach $WEB_DEV_RUN "$image"
docker run --detach $WEB_PREPROD_RUN "$image"
docker run --detach $WEB_PROD_RUN "$image"
