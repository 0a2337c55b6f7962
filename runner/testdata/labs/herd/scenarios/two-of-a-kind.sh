# Today's message, committed and built once.
echo "motd=$PARAM_MOTD_TODAY" >motd.conf
git commit --quiet --all --message "Message of today"
image=$(docker build --quiet .)
docker rm --force "$PET_01" "$PET_02"
docker run --detach $SHOP_RUN "$image"
docker run --detach $SHOP_RUN "$image"
