# Today's message, committed and built once.
echo "motd=$PARAM_MOTD_TODAY" >motd.conf
git commit --quiet --all --message "Message of today"
image=$(docker build --quiet .)
for pet in "$PET_01" "$PET_02"; do
	docker rm --force "$pet"
done
docker run --detach $SHOP_RUN "$image"
docker run --detach $SHOP_RUN "$image"
