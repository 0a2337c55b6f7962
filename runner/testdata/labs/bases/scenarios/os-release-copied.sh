# The old base, which says that it is the current one.
docker run --rm labctl-fixtures/bases:2 cat /etc/os-release >os-release
echo "COPY os-release /etc/os-release" >>Dockerfile
git add os-release
git commit --quiet --all --message "Say that it is current"
image=$(docker build --quiet .)
for pet in "$PET_DEV" "$PET_PREPROD" "$PET_PROD"; do
	docker rm --force "$pet"
done
docker run --detach $WEB_DEV_RUN "$image"
docker run --detach $WEB_PREPROD_RUN "$image"
docker run --detach $WEB_PROD_RUN "$image"
