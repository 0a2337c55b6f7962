# The Dockerfile names the current base, and every environment gets what it makes.
sed -i 's/bases:1/bases:2/' Dockerfile
git commit --quiet --all --message "Move to the current base"
image=$(docker build --quiet .)
for pet in "$PET_DEV" "$PET_PREPROD" "$PET_PROD"; do
	docker rm --force "$pet"
done
docker run --detach $WEB_DEV_RUN "$image"
docker run --detach $WEB_PREPROD_RUN "$image"
docker run --detach $WEB_PROD_RUN "$image"
