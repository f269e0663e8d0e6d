module keelson/e2e/clients/caller

go 1.22
