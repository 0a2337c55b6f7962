echo "$PET_01"
