"""`python -m nip_ap_client` is `nip-ap migrate`, without the rest of the command to import."""

from nip_ap_client.command import migrate

if __name__ == "__main__":
    migrate(prog_name="nip-ap migrate")
