# The old base on an empty one, with the word of the current one.
cat >Dockerfile <<'END'
FROM labctl-fixtures/bases:1 AS collected
COPY www /srv/www

FROM scratch
COPY --from=collected / /
COPY --from=labctl-fixtures/bases:2 /etc/os-release /etc/
STOPSIGNAL SIGKILL
CMD ["httpd", "-f", "-p", "8095", "-h", "/srv/www"]
END
git commit --quiet --all --message "Say that it is current"
image=$(docker build --quiet .)
for pet in "$PET_DEV" "$PET_PREPROD" "$PET_PROD"; do
	docker rm --force "$pet"
done
docker run --detach $WEB_DEV_RUN "$image"
docker run --detach $WEB_PREPROD_RUN "$image"
docker run --detach $WEB_PROD_RUN "$image"
