# Today's message, committed and built once.
echo "motd=$PARAM_MOTD_TODAY" >motd.conf
git commit --quiet --all --message "Message of today"
image=$(docker build --quiet .)
docker rm --force "$PET_PREPROD"
seen=$(docker run --detach $SHOP_PREPROD_RUN "$image")
labctl check || true
# Built again, of the same commit: the same content, and not what was seen.
sleep 1
touch motd.conf
image=$(docker build --quiet --no-cache .)
docker rm --force "$seen"
docker run --detach $SHOP_PREPROD_RUN "$image"
docker rm --force "$PET_PROD"
docker run --detach $SHOP_PROD_RUN "$image"
