module keelson/e2e/clients/server

go 1.22
