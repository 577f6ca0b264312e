"""What the Python tests share: servers, clients, certificates and the program under test."""
