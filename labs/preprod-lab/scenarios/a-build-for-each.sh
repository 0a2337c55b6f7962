# What was tried in dev is not what runs in prod: every environment has a build of
# its own, of whatever the day's commit was.
for environment in DEV PREPROD PROD; do
	echo "$environment" >www/build
	git add --all
	git commit --quiet --message "Built for $environment"
	image=$(docker build --quiet .)
	eval "old=\$BOOKING_$environment run=\$BOOKING_${environment}_RUN"
	docker rm --force "$old"
	docker run --detach $run "$image"
done
