# A lab that is small enough for an engine that runs nothing: its service
# answers with the files below /answers.

lab "shop-lab" {
  title   = "The shop"
  level   = "beginner"
  minutes = 5
  teaches = ["rebuilding"]
}

image "base" {
  tag    = "shop/base:1"
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
  port = 18090

  ready {
    get    = "/health"
    within = "2s"
  }
}

scenario "old_pet" {
  start = true

  container "pet-01" {
    image  = image.shop
    serves = service.shop

    drift { script = "echo by hand" }
  }
  expect {
    failing    = [check.price, check.replaced]
    provenance = "untouched"
  }
}

scenario "price_in_the_repository" {
  run = "echo price=2 >answers/price && git commit --quiet --all --message 'Price'"

  expect {
    failing    = [check.price, check.replaced]
    provenance = "untouched"
  }
}

scenario "rebuilt" {
  run = file("scenarios/rebuilt.sh")

  expect {
    passed     = true
    provenance = "rebuilt"
  }
}

check "http" "price" {
  title    = "Guests pay the new price"
  service  = service.shop
  requests = [{ get = "/price", body = ["price=2"] }]
  points   = 20
  why      = "The price has changed."
  next     = "answers/price in the repository holds it."
}

check "provenance" "rebuilt" {
  service = service.shop
}

hint {
  text = "What does ${service.shop.url}/price say?"
}

hint {
  text = "Replace `${container.pet-01.name}`: `docker run ${service.shop.run}`"
}

quiz "where" {
  question = "Where does the next server get its price from?"

  choice "a" {
    text    = "From the server before it."
    explain = "Servers do not inherit."
  }
  choice "b" {
    text    = "From `answers/price` in the repository."
    explain = "It is built from a commit."
    correct = true
  }
}

quiz "lost" {
  question = "What is lost when `pet-01` is removed?"

  choice "a" {
    text    = "What was changed by hand."
    explain = "No commit has it."
    correct = true
  }
  choice "b" {
    text    = "The repository."
    explain = "It lies elsewhere."
  }
  choice "c" {
    text    = "What is in its memory."
    explain = "It ends with the process."
    correct = true
  }
}
