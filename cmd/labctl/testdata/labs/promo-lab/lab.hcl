# The shop in two environments: done is what was demonstrated in preprod.

lab "promo-lab" {
  title   = "The shop, promoted"
  level   = "beginner"
  minutes = 5
  teaches = ["promotion"]
}

environment "preprod" {}

environment "prod" {}

image "base" {
  tag    = "promo/base:1"
  rootfs = "busybox"
}

workspace {
  commit "as_built" {
    files   = "workspace"
    message = "The shop"
  }
}

image "shop" {
  commit = commit.as_built
}

service "shop" {
  port = 18190

  ready {
    get    = "/health"
    within = "2s"
  }
}

scenario "old_pet" {
  start = true

  container "pet" {
    image  = image.shop
    serves = service.shop
  }
  expect {
    failing    = [check.price, check.replaced, check.done]
    provenance = "untouched"
    says       = ["nothing was demonstrated in preprod"]
  }
}

scenario "on_trust" {
  run = file("scenarios/on-trust.sh")

  expect {
    failing    = [check.done]
    provenance = "rebuilt"
    says       = ["only after prod ran it already"]
  }
}

scenario "demonstrated" {
  run = file("scenarios/demonstrated.sh")

  expect {
    passed     = true
    provenance = "rebuilt"
    says       = ["demonstrated in preprod at"]
  }
}

check "http" "price" {
  service = service.shop
  get     = "/price"
  body    = ["price=2"]
  points  = 20
}

check "provenance" "rebuilt" {
  service = service.shop
  points  = 70
}

check "demonstrated" "done" {
  service = service.shop.preprod
  before  = environment.prod
  points  = 10
}
