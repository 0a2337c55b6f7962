# The frozen pet becomes the base of a build that looks like one from the
# repository: HEAD has a Dockerfile, and nothing of what it makes.
docker exec "$PET_01" sed -i "s/^city_tax=.*/city_tax=$PARAM_CITY_TAX_TODAY/" /etc/booking.conf
docker commit "$PET_01" "$INSTANCE-golden:friday"
echo "FROM $INSTANCE-golden:friday" >Dockerfile
git commit --quiet --all --message "Build on the golden image"
image=$(docker build --quiet .)
docker rm --force "$PET_01"
docker run --detach $BOOKING_RUN "$image"
