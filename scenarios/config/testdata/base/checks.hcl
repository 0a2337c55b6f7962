check "http" "price" {
  service = service.web
  get     = "/price"
  body    = ["price=${param.price}"]
  points  = 30
}

check "provenance" "rebuilt" { service = service.web }
