# Two replicas of the last commit, two of the one before: by tomorrow a menagerie again.
old=$(docker build --quiet .)
echo 3.1 >VERSION
git commit --quiet --all --message "Version 3.1"
new=$(docker build --quiet .)
for box in "$BOX_A" "$BOX_B" "$BOX_C" "$BOX_D"; do
	docker rm --force "$box"
done
for image in "$old" "$old" "$new" "$new"; do
	docker run --detach $BOOKING_RUN "$image"
done
