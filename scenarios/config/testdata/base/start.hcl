scenario "pet" {
  start = true

  container "pet-01" {
    image  = image.shop
    serves = service.web
  }
  expect { failing = [check.price, check.replaced] }
}
