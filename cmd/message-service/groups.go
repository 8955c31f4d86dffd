package main

import "errors"

// groupFlags are the options of groups.
type groupFlags struct {
	GroupCreate     groupCreators `env:"GROUP_CREATE" default:"services" placeholder:"services|users" help:"Who may create groups: services only, or users too, who own the groups that they create."`
	GroupMaxMembers int           `env:"GROUP_MAX_MEMBERS" default:"1000" placeholder:"N" help:"How many members a group may have, from 2 to 10000. A lower number removes nobody."`
	UserMaxGroups   int           `env:"USER_MAX_GROUPS" default:"1000" placeholder:"N" help:"How many groups a user may be a member of, from 1 to 10000. A lower number removes nobody."`
}

// groupCreators is services or users.
type groupCreators string

func parseGroupCreators(text string) (groupCreators, error) {
	if text != "services" && text != "users" {
		return "", errors.New("must be services or users")
	}
	return groupCreators(text), nil
}

// Validate is called by the command line parser.
func (f groupFlags) Validate() error {
	if f.GroupMaxMembers < 2 || f.GroupMaxMembers > 10_000 {
		return errors.New("--group-max-members (GROUP_MAX_MEMBERS) must be from 2 to 10000")
	}
	if f.UserMaxGroups < 1 || f.UserMaxGroups > 10_000 {
		return errors.New("--user-max-groups (USER_MAX_GROUPS) must be from 1 to 10000")
	}
	return nil
}
