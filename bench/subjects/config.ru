# The answer as Rack gives it, for puma.
HEADERS = { 'Content-Type' => 'text/html; charset=utf-8', 'Content-Length' => '13' }.freeze
run ->(_env) { [200, HEADERS.dup, ['Hello, World!']] }
