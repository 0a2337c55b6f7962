# Today's message, committed and built once.
echo "motd=$PARAM_MOTD_TODAY" >motd.conf
git commit --quiet --all --message "Message of today"
image=$(docker build --quiet .)
docker rm --force "$PET_DEV"
docker run --detach $SHOP_DEV_RUN "$image"
# Built again for prod, of the same commit: the same content, and not what dev tried.
sleep 1
touch motd.conf
image=$(docker build --quiet --no-cache .)
docker rm --force "$PET_PROD"
docker run --detach $SHOP_PROD_RUN "$image"
