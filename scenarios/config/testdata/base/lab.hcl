lab "shop" {
  title   = "A shop"
  level   = "beginner"
  minutes = 10
  teaches = ["drift"]
}

parameter "price" {
  pick = [100, 200, 300]
}
