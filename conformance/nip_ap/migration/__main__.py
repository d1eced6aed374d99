"""`python -m nip_ap.migration` is `nip-ap migrate`, without the rest of the command to import."""

from nip_ap.migration.command import migrate

if __name__ == "__main__":
    migrate(prog_name="nip-ap migrate")
