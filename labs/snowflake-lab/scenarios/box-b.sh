# A fragile artifact: the season's surcharge is kept in memory, and nowhere else.
mkdir -p /run/booking
echo "season=$PARAM_SEASON" >/run/booking/season
