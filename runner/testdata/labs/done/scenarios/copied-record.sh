# Today's message, committed and built once.
echo "motd=$PARAM_MOTD_TODAY" >motd.conf
git commit --quiet --all --message "Message of today"
image=$(docker build --quiet .)
docker rm --force "$PET_PREPROD"
seen=$(docker run --detach $SHOP_PREPROD_RUN "$image")
labctl check || true
# A commit of the record has the record's labels, and so has what is made of it.
image=$(docker commit "$INSTANCE-demonstrated-preprod-1")
docker create --network none "$image"
docker rm --force "$seen"
docker run --detach $SHOP_PREPROD_RUN "$image"
docker rm --force "$PET_PROD"
docker run --detach $SHOP_PROD_RUN "$image"
