scenario "cattle" {
  run = file("scenarios/cattle.sh")

  expect { passed = true }
}
