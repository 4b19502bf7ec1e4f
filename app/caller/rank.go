package caller

import (
	"burble/app/accounts"
	"burble/app/identity"
)

// Rank returns the rank of an account with a role.
func Rank(role accounts.Role) identity.Rank {
	switch role {
	case accounts.Owner:
		return identity.Owner
	case accounts.Moderator:
		return identity.Moderator
	}
	return identity.Account
}
